//! Another Service answers in the place of one that fails.

use crate::annotation::{Doc, Family, OnError, Reader};
use model::Text;

/// Which statuses, and who answers then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CustomErrors {
    /// Ascending. `None`: as the gateway's option says.
    pub(crate) statuses: Option<Vec<u16>>,
    /// A Service in the Ingress's namespace. `None`: as the gateway's option says.
    pub(crate) service: Option<Text>,
    /// Answers are left as they are.
    pub(crate) off: bool,
}

pub(crate) const STATUSES: &str = "custom-http-errors";
pub(crate) const SERVICE: &str = "default-backend";

impl Family for CustomErrors {
    const KEYS: &'static [Doc] = &[
        Doc {
            key: STATUSES,
            value: "statuses from 400 to 599, by `,`",
            default: "the gateway's",
            meaning: "Answers with these statuses, the gateway's own too, give way to those of `default-backend`. It gets `GET /` with the \
                      client's header, and `X-Code`, `X-Format`, `X-Original-URI`, `X-Namespace`, `X-Ingress-Name`, `X-Service-Name`, \
                      `X-Service-Port` and `X-Request-ID`; its status is what the client gets. Where it does not answer, the first answer stays.",
        },
        Doc {
            key: SERVICE,
            value: "name of a Service",
            default: "the gateway's",
            meaning: "Its first port answers for `custom-http-errors`, and where the path's own Service has no endpoints.",
        },
        Doc {
            key: "disable-proxy-intercept-errors",
            value: "boolean",
            default: "false",
            meaning: "Answers stay as they are, whatever `custom-http-errors` says.",
        },
    ];
    const ON_ERROR: OnError = OnError::Default;

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let off = from.flag("disable-proxy-intercept-errors").unwrap_or(false);
        let service = from.text(SERVICE).map(Text::from);
        let statuses = from.text(STATUSES).and_then(|text| {
            let read = statuses(text, 400);
            if read.is_none() {
                from.reject(STATUSES, "is no list of statuses from 400 to 599", "Write `404,503`");
            }
            read
        });
        Some(Self { statuses, service, off })
    }
}

/// Ascending, each once.
pub(crate) fn statuses(text: &str, least: u16) -> Option<Vec<u16>> {
    let read = |word: &str| word.parse::<u16>().ok().filter(|it| (least..600).contains(it));
    let words = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let mut statuses = words.map(read).collect::<Option<Vec<u16>>>()?;
    statuses.sort_unstable();
    statuses.dedup();
    (!statuses.is_empty()).then_some(statuses)
}
