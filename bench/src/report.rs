//! Medians, and how they are shown.

use crate::peers::Peer;

/// The middle value; the mean of both where there are two. `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The value that 99 of a hundred do not exceed.
pub fn p99(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() * 99).div_ceil(100).checked_sub(1)?;
    sorted.get(index).copied()
}

/// A mark's outcome.
pub struct Outcome {
    pub mark: &'static str,
    pub unit: &'static str,
    /// Each peer's median.
    pub figures: Column,
    /// Median of the same-round ratios to nginx.
    pub ratios: Column,
    /// What Paifang's ratio must not exceed.
    pub ratio_goal: f64,
    /// What Paifang's figure must not exceed: what it is, the figure, the goal.
    pub absolute: Option<(&'static str, Option<f64>, f64)>,
}

// === impl Outcome ===

impl Outcome {
    /// Whether all goals are met; without a figure they are not.
    pub fn is_met(&self) -> bool {
        let ratio = self.ratios.iter().find(|(peer, _)| *peer == Peer::Paifang).and_then(|(_, ratio)| *ratio);
        let absolute = self.absolute.is_none_or(|(_, figure, goal)| figure.is_some_and(|figure| figure <= goal));
        ratio.is_some_and(|ratio| ratio <= self.ratio_goal) && absolute
    }

    /// One row of the table at the end.
    pub fn row(&self) -> String {
        let shown = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        let figures: Vec<String> = self.figures.iter().map(|(peer, figure)| format!("{} {}", peer.name(), shown(*figure))).collect();
        let ratios: Vec<String> = self
            .ratios
            .iter()
            .filter(|(peer, _)| *peer != Peer::Nginx)
            .map(|(peer, ratio)| format!("{} {}", peer.name(), shown(*ratio)))
            .collect();
        let absolute = self.absolute.map(|(what, figure, goal)| format!("; {what} {} ≤ {goal}", shown(figure))).unwrap_or_default();
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        format!(
            "| {} | {}: {} | {} | ≤ {}{absolute} | {verdict} |",
            self.mark,
            self.unit,
            figures.join(", "),
            ratios.join(", "),
            self.ratio_goal
        )
    }
}

/// One figure for each peer; `None`: there is none.
type Column = Vec<(Peer, Option<f64>)>;

/// Medians of each column, and of each column divided by nginx's in the same round. `None` in a cell: that round is void for that peer.
pub fn compare(peers: &[Peer], rounds: &[Vec<Option<f64>>]) -> (Column, Column) {
    let nginx = peers.iter().position(|peer| *peer == Peer::Nginx);
    let column = |index: usize| rounds.iter().filter_map(|round| round[index]).collect::<Vec<f64>>();
    let against = |index: usize| {
        let ratio = |round: &Vec<Option<f64>>| Some(round[index]? / round[nginx?]?);
        rounds.iter().filter_map(ratio).collect::<Vec<f64>>()
    };
    let each = |values: &dyn Fn(usize) -> Vec<f64>| peers.iter().enumerate().map(|(index, peer)| (*peer, median(&values(index)))).collect();
    (each(&column), each(&against))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(p99(&[]), None);
        assert_eq!(p99(&[5.0]), Some(5.0));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(p99(&hundred), Some(99.0));
    }

    #[test]
    fn a_void_cell_counts_for_nobody() {
        let peers = [Peer::Paifang, Peer::Nginx];
        let rounds = [vec![Some(1.0), Some(2.0)], vec![Some(3.0), None], vec![None, Some(4.0)], vec![Some(3.0), Some(4.0)]];
        let (figures, ratios) = compare(&peers, &rounds);
        assert_eq!(figures, [(Peer::Paifang, Some(3.0)), (Peer::Nginx, Some(4.0))]);
        assert_eq!(ratios, [(Peer::Paifang, Some(0.625)), (Peer::Nginx, Some(1.0))]);
    }

    #[test]
    fn a_goal_without_a_figure_is_missed() {
        let outcome = |ratio, figure| Outcome {
            mark: "m",
            unit: "u",
            figures: vec![],
            ratios: vec![(Peer::Paifang, ratio)],
            ratio_goal: 0.5,
            absolute: Some(("p99", figure, 20.0)),
        };
        assert!(outcome(Some(0.5), Some(20.0)).is_met());
        assert!(!outcome(Some(0.51), Some(1.0)).is_met());
        assert!(!outcome(Some(0.1), Some(20.1)).is_met());
        assert!(!outcome(None, Some(1.0)).is_met() && !outcome(Some(0.1), None).is_met());
    }
}
