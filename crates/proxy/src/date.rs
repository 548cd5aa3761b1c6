//! The `Date` of our own answers (RFC 9110 5.6.7).

use std::cell::{Cell, RefCell};
use std::time::{SystemTime, UNIX_EPOCH};

/// The current date as text, made once a second.
#[derive(Debug, Default)]
pub(crate) struct Date {
    second: Cell<u64>,
    text: RefCell<String>,
}

impl Date {
    pub fn with<T>(&self, f: impl FnOnce(&str) -> T) -> T {
        let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut text = self.text.borrow_mut();
        if self.second.replace(second) != second || text.is_empty() {
            *text = format(second);
        }
        f(&text)
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`. Days to date after H. Hinnant's `civil_from_days`.
fn format(second: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, time) = (second / 86_400, second % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let name = |list: &[&'static str], at: u64| usize::try_from(at).ok().and_then(|at| list.get(at).copied()).unwrap_or_default();
    let (weekday, month_name) = (name(&DAYS, days % 7), name(&MONTHS, month - 1));
    format!("{weekday}, {day:02} {month_name} {year} {:02}:{:02}:{:02} GMT", time / 3_600, time / 60 % 60, time % 60)
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn dates_of_the_standard() {
        for (second, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_772_323_200, "Sun, 01 Mar 2026 00:00:00 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ] {
            assert_eq!(format(second), text);
        }
    }
}
