//! `spec.tls.frontend` of a Gateway: how certificates of clients are checked.

use super::Reference;
use crate::at::{At, Problems};
use model::Text;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontendTls {
    pub default: Option<ClientValidation>,
    /// In place of `default`, also where it checks nothing: place in the list, port, what holds there.
    pub per_port: Vec<(usize, u16, Option<ClientValidation>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientValidation {
    pub authorities: Vec<Reference>,
    pub mode: ValidationMode,
    /// Something in it cannot be read, so no certificate is good.
    pub broken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationMode {
    AllowValidOnly,
    AllowInsecureFallback,
}

// === impl FrontendTls ===

impl FrontendTls {
    pub(super) fn read(own: &Text, at: &At<'_>, problems: &mut Problems) -> Self {
        let default = at.field("default").and_then(|at| ClientValidation::field(own, &at, problems));
        let (mut per_port, mut lost) = (Vec::new(), false);
        at.list("perPort", problems, |index, at, problems| {
            let tls = at.field("tls").and_then(|tls| ClientValidation::field(own, &tls, problems));
            match at.port("port", problems) {
                Some(port) => per_port.push((index, port, tls)),
                None => lost = true,
            }
        });
        // Where one port's rules cannot be read, the others' must not stand in for them.
        let default = if lost { Some(ClientValidation { broken: true, ..default.unwrap_or_default() }) } else { default };
        Self { default, per_port }
    }

    /// What holds on a port, and where that is written.
    pub fn of_port(&self, port: u16) -> Option<(String, &ClientValidation)> {
        match self.per_port.iter().find(|(_, it, _)| *it == port) {
            Some((index, _, validation)) => {
                validation.as_ref().map(|it| (format!("spec.tls.frontend.perPort[{index}].tls.validation"), it))
            }
            None => self.default.as_ref().map(|it| ("spec.tls.frontend.default.validation".to_owned(), it)),
        }
    }

    pub fn validations(&self) -> impl Iterator<Item = &ClientValidation> {
        self.default.iter().chain(self.per_port.iter().filter_map(|(_, _, it)| it.as_ref()))
    }
}

// === impl ClientValidation ===

impl Default for ClientValidation {
    fn default() -> Self {
        Self { authorities: Vec::new(), mode: ValidationMode::AllowValidOnly, broken: false }
    }
}

impl ClientValidation {
    fn field(own: &Text, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let at = at.field("validation")?;
        let (before, mut validation) = (problems.len(), Self::default());
        at.expected(at.value.as_object(), "a mapping", problems);
        at.list("caCertificateRefs", problems, |index, at, problems| {
            validation.authorities.extend(Reference::read(own, index, at, ("", "ConfigMap"), problems));
        });
        if let Some(at) = at.field("mode") {
            let mode = match at.value.as_str() {
                Some("AllowValidOnly") => Some(ValidationMode::AllowValidOnly),
                Some("AllowInsecureFallback") => Some(ValidationMode::AllowInsecureFallback),
                _ => None,
            };
            validation.mode = at.expected(mode, "AllowValidOnly or AllowInsecureFallback", problems).unwrap_or(validation.mode);
        }
        validation.broken = problems.len() > before;
        Some(validation)
    }
}
