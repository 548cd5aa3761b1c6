//! The time as objects write it, and the time by which tokens end.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Up to this many seconds the wall clock is followed at once, as when it is set right over the network.
const STEP: i64 = 60;
/// How long the wall clock has to be elsewhere before that is believed.
const DOUBT: Duration = Duration::from_secs(60 * 60);

/// The time by which tokens begin and end.
///
/// A wall clock that jumps by a year would end every session, or make every token one of the future. It is followed in small steps, and in
/// large ones only after an hour: until then time goes on as it did.
#[derive(Debug)]
struct Steady {
    /// Seconds since 1970, and when it was so.
    believed: (i64, Instant),
    doubted: Option<Instant>,
}

// === impl Steady ===

impl Steady {
    fn look(&mut self, wall: i64, now: Instant) -> i64 {
        let (then, at) = self.believed;
        let own = then.saturating_add(i64::try_from(now.saturating_duration_since(at).as_secs()).unwrap_or(i64::MAX));
        if wall.abs_diff(own) > STEP.unsigned_abs() && now.saturating_duration_since(*self.doubted.get_or_insert(now)) < DOUBT {
            return own;
        }
        *self = Self { believed: (wall, now), doubted: None };
        wall
    }
}

/// Seconds since 1970, for what ends by itself.
pub(crate) fn seconds() -> i64 {
    static STEADY: Mutex<Option<Steady>> = Mutex::new(None);
    let (wall, now) = (jiff::Timestamp::now().as_second(), Instant::now());
    let mut steady = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
    steady.get_or_insert(Steady { believed: (wall, now), doubted: None }).look(wall, now)
}

/// Now, to the second: `2026-01-02T03:04:05Z`.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long ago `timestamp` was, as `kubectl` prints ages.
pub(crate) fn age(timestamp: &str) -> String {
    match timestamp.parse::<jiff::Timestamp>() {
        Ok(then) => human(jiff::Timestamp::now().as_second() - then.as_second()),
        Err(_) => "<unknown>".into(),
    }
}

/// Kubernetes' `HumanDuration`.
pub(crate) fn human(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |big: i64, b: char, small: i64, s: char| match small {
        0 => format!("{big}{b}"),
        small => format!("{big}{b}{small}{s}"),
    };
    match seconds {
        i64::MIN..-1 => "<invalid>".into(),
        -1..0 => "0s".into(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_that_jumps_ends_nothing_until_it_stays_there() {
        let (begun, year, noon) = (Instant::now(), 365 * 86_400, 1_800_000_000);
        let after = |seconds| begun + Duration::from_secs(seconds);
        for jump in [year, -year, 3600, -61] {
            let mut steady = Steady { believed: (noon, begun), doubted: None };
            assert_eq!(steady.look(noon + 100, after(100)), noon + 100);
            assert_eq!(steady.look(noon + 201, after(200)), noon + 201, "a second more is a correction");
            assert_eq!(steady.look(noon + 300 + jump, after(300)), noon + 301, "{jump}");
            assert_eq!(steady.look(noon + 3000 + jump, after(3000)), noon + 3001, "{jump}");
            assert_eq!(steady.look(noon + 3100, after(3100)), noon + 3100, "it was a mistake of the clock");
            assert_eq!(steady.look(noon + 3200 + jump, after(3200)), noon + 3200, "{jump}");
            assert_eq!(steady.look(noon + 6900 + jump, after(6900)), noon + 6900 + jump, "it stays there");
        }
    }

    #[test]
    fn ages_read_as_kubectl_prints_them() {
        for (seconds, expect) in [
            (-5, "<invalid>"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (600, "10m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 60, "3h1m"),
            (9 * 3600, "9h"),
            (2 * 86400 + 3600, "2d1h"),
            (8 * 86400, "8d"),
            (800 * 86400, "2y70d"),
        ] {
            assert_eq!(human(seconds), expect, "{seconds}");
        }
    }
}
