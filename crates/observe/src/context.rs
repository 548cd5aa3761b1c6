//! W3C Trace Context (Level 1): the trace that a request says it is part of.

/// A request's place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Never 0.
    pub trace: u128,
    /// Of whoever sends the request. Never 0.
    pub span: u64,
    /// Whether whoever sends it tells a collector. Other flags of theirs are not taken over.
    pub sampled: bool,
}

/// Octets of a `traceparent` as we write it.
const LENGTH: usize = 55;
/// Where in it the span's id stands.
const SPAN: usize = 36;
/// Members of a `tracestate`, and octets of it that are carried on; then of a member that has to go first.
const MEMBERS: usize = 32;
const STATE: usize = 512;
const LARGE: usize = 128;

// === impl TraceContext ===

impl TraceContext {
    /// Where in [`text`](Self::text) the span's id stands, in hexadecimal.
    pub const SPAN: std::ops::Range<usize> = SPAN..SPAN + 16;

    /// `None`: it is not valid, and counts as absent. Of a later version that part is read which this one has.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, more) = (value.get(..LENGTH)?, value.get(LENGTH));
        let (version, flags) = (number(known.get(..2)?)?, number(known.get(53..)?)?);
        let dashes = [2, 35, 52].iter().all(|at| known.get(*at) == Some(&b'-'));
        let length = if version == 0 { more.is_none() } else { more.is_none_or(|it| *it == b'-') };
        if !dashes || !length || version == 0xff {
            return None;
        }
        let trace = number(known.get(3..35)?).filter(|it| *it != 0)?;
        let span = number(known.get(Self::SPAN)?).filter(|it| *it != 0)?;
        Some(Self { trace, span: u64::try_from(span).ok()?, sampled: flags & 1 == 1 })
    }

    /// Of all fields `traceparent` of a request: two are none.
    pub fn of<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let only = values.next()?;
        if values.next().is_some() { None } else { Self::parse(only) }
    }

    pub fn text(&self) -> [u8; LENGTH] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hexadecimal(&mut text[3..35], self.trace);
        hexadecimal(&mut text[Self::SPAN], self.span.into());
        text[54] = if self.sampled { b'1' } else { b'0' };
        text
    }
}

/// Writes a number in hexadecimal digits, as many as there is room for.
pub fn hexadecimal(out: &mut [u8], mut number: u128) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(number & 15) as usize];
        number >>= 4;
    }
}

/// Lower-case hexadecimal digits alone.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

/// All fields `tracestate` of a request as one; `None`: there is none that could be carried on. One that is too long loses its large members
/// first, then those that stand last.
pub fn trace_state<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    for value in values {
        for member in std::str::from_utf8(value).ok()?.split(',').map(|it| it.trim_matches([' ', '\t'])).filter(|it| !it.is_empty()) {
            let (key, value) = member.split_once('=')?;
            if members.len() == MEMBERS || !is_key(key) || !is_value(value) || members.iter().any(|it| it.0 == key) {
                return None;
            }
            members.push((key, member));
        }
    }
    let length = |members: &[(&str, &str)]| members.iter().map(|it| it.1.len() + 1).sum::<usize>().saturating_sub(1);
    if length(&members) > STATE {
        members.retain(|it| it.1.len() <= LARGE);
    }
    while length(&members) > STATE {
        members.pop();
    }
    let members: Vec<&str> = members.into_iter().map(|it| it.1).collect();
    (!members.is_empty()).then(|| members.join(","))
}

fn is_key(key: &str) -> bool {
    let good = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_-*/@".contains(&it);
    (1..=256).contains(&key.len()) && key.bytes().all(good) && !key.starts_with(['_', '-', '*', '/', '@'])
}

fn is_value(value: &str) -> bool {
    value.len() <= 256 && value.bytes().all(|it| (b' '..=b'~').contains(&it) && it != b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
    const SPAN: u64 = 0xb7ad_6b71_6920_3331;
    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_goes_on_and_what_is_not_valid_is_none() {
        let known = |sampled| Some(TraceContext { trace: TRACE, span: SPAN, sampled });
        let with = |at: std::ops::Range<usize>, text: &str| {
            let mut all = GOOD.to_owned();
            all.replace_range(at, text);
            all
        };
        for (text, expect) in [
            (GOOD.to_owned(), known(true)),
            (with(53..55, "00"), known(false)),
            // Flags that nobody knows are not taken for others.
            (with(53..55, "ff"), known(true)),
            (with(53..55, "fe"), known(false)),
            // A later version, with and without more to it.
            (with(0..2, "cc"), known(true)),
            (with(0..2, "cc") + "-what-the-future-will-be-like", known(true)),
            (with(0..2, "cc") + ".what-the-future-will-be-like", None),
            (GOOD.to_owned() + "-more", None),
            (GOOD.to_owned() + "0", None),
            (with(0..2, "ff"), None),
            (with(3..35, &"0".repeat(32)), None),
            (with(36..52, &"0".repeat(16)), None),
            (GOOD.to_uppercase(), None),
            (with(3..4, "g"), None),
            (with(3..4, " "), None),
            (with(2..3, "_"), None),
            (with(35..36, "0"), None),
            (with(52..53, "0"), None),
            (with(53..55, "1"), None),
            (with(0..2, "0"), None),
            (with(3..5, "é"), None),
            (String::new(), None),
            ("00".to_owned(), None),
        ] {
            assert_eq!(TraceContext::parse(text.as_bytes()), expect, "{text}");
        }
        assert_eq!(TraceContext::of([GOOD.as_bytes()].into_iter()), known(true));
        assert_eq!(TraceContext::of([GOOD.as_bytes(), GOOD.as_bytes()].into_iter()), None, "two are none");
        assert_eq!(TraceContext::of(std::iter::empty()), None);
    }

    #[test]
    fn what_is_written_reads_as_it_was() {
        for (trace, span, sampled) in [(TRACE, SPAN, true), (1, 1, false), (u128::MAX, u64::MAX, true)] {
            let context = TraceContext { trace, span, sampled };
            assert_eq!(TraceContext::parse(&context.text()), Some(context));
        }
        let text = TraceContext { trace: TRACE, span: SPAN, sampled: true }.text();
        assert_eq!(std::str::from_utf8(&text), Ok(GOOD));
        assert_eq!(&text[TraceContext::SPAN], b"b7ad6b7169203331");
    }

    #[test]
    fn a_trace_state_goes_on_while_it_is_one() {
        let long = |key: &str, octets: usize| format!("{key}={}", "x".repeat(octets));
        let many = |count: usize| (0..count).map(|it| format!("k{it}=v")).collect::<Vec<_>>().join(",");
        let check = |values: &[&str], expect: Option<&str>| {
            assert_eq!(trace_state(values.iter().map(|it| it.as_bytes())).as_deref(), expect, "{values:?}");
        };
        check(&["rojo=00f067aa0ba902b7"], Some("rojo=00f067aa0ba902b7"));
        check(&["a=1, b=2 ,\tt@s=3", "c=4"], Some("a=1,b=2,t@s=3,c=4"));
        check(&["a=1,,b=2", ""], Some("a=1,b=2"));
        check(&[], None);
        check(&[""], None);
        for bad in ["a", "=1", "A=1", "a=1,a=2", "a=b=c", "a=\u{1}", "a=é", "a b=1", "@a=1"] {
            check(&[bad], None);
        }
        check(&[&many(32)], Some(&many(32)));
        check(&[&many(33)], None);
        check(&[&long("a", 257)], None);
        // Too long: the large one goes; then the last ones.
        let (small, large) = (long("s", 100), long("l", 200));
        check(&[&[small.as_str(), &large, &long("m", 250)].join(",")], Some(&small));
        let all: Vec<String> = ["a", "b", "c", "d", "e"].iter().map(|it| long(it, 120)).collect();
        check(&[&all.join(",")], Some(&all[..4].join(",")));
    }
}
