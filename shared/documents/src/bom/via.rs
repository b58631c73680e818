//! How components get into what a document describes: the shortest way through its dependencies.

use std::collections::{HashMap, VecDeque};

use super::Component;

/// What brings a component in, on a shortest way from what the document describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// No way leads to it that the document tells.
    Nothing,
    /// What the document describes needs it, or has it as a part.
    Subject,
    /// The component with that number needs it; it is nearer to the subject.
    Component(u32),
}

/// Follows `edges`, each from what needs something to what is needed, by the names that the document
/// has for them; the first `parts` components are parts of the subject. Takes time linear in
/// components and edges.
pub(crate) fn of<'a>(
    subject: Option<&'a Component>,
    components: &'a [Component],
    parts: usize,
    edges: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<Via> {
    let mut via = vec![Via::Nothing; components.len()];
    // No document that is read has that many values.
    let Ok(root) = u32::try_from(components.len()) else { return via };
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    numbers.extend(subject.and_then(|it| it.bom_ref.as_deref()).map(|name| (name, root)));
    for (number, component) in (0..).zip(components) {
        if let Some(name) = component.bom_ref.as_deref() {
            numbers.entry(name).or_insert(number);
        }
    }
    let number = |name| numbers.get(name).copied();
    let told = edges.filter_map(|(from, to)| Some((number(from)?, number(to)?)));
    let graph = Graph::of(components.len() + 1, told.collect());
    let mut next = VecDeque::from([root]);
    let mut reach = |from: u32, to: u32, next: &mut VecDeque<u32>| {
        let by = if from == root { Via::Subject } else { Via::Component(from) };
        if let Some(place) = via.get_mut(to as usize).filter(|it| **it == Via::Nothing) {
            *place = by;
            next.push_back(to);
        }
    };
    while let Some(from) = next.pop_front() {
        graph.needed_by(from).iter().for_each(|&to| reach(from, to, &mut next));
        if from == root {
            (0..root).take(parts).for_each(|part| reach(root, part, &mut next));
        }
    }
    via
}

/// Edges in the order of what they lead from, then in that of the document.
struct Graph {
    /// Where the edges of each node begin, and where the last one's end.
    starts: Vec<usize>,
    targets: Vec<u32>,
}

impl Graph {
    fn of(nodes: usize, edges: Vec<(u32, u32)>) -> Self {
        let mut starts = vec![0; nodes + 1];
        for &(from, _) in &edges {
            starts[from as usize + 1] += 1;
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let (mut free, mut targets) = (starts.clone(), vec![0; edges.len()]);
        for (from, to) in edges {
            let place = &mut free[from as usize];
            targets[*place] = to;
            *place += 1;
        }
        Self { starts, targets }
    }

    fn needed_by(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.targets[self.starts[node]..self.starts[node + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn components(names: &[&str]) -> Vec<Component> {
        let component = |name: &&str| Component {
            bom_ref: Some((*name).to_owned()),
            name: (*name).to_owned(),
            group: None,
            version: None,
            purl: None,
            cpe: None,
            kind: "library".to_owned(),
            scope: None,
            locations: Vec::new(),
        };
        names.iter().map(component).collect()
    }

    #[test]
    fn the_shortest_way_counts_and_cycles_end() {
        let all = components(&["a", "b", "c", "alone", "twice", "twice"]);
        let subject = components(&["app"]).remove(0);
        let edges = [
            ("app", "a"),
            ("a", "b"),
            ("b", "c"),
            ("c", "a"),
            ("b", "app"),
            ("alone", "alone"),
            ("app", "nowhere"),
            ("a", "c"),
            ("c", "twice"),
        ];
        let via = of(Some(&subject), &all, 0, edges.into_iter());
        let (a, c) = (Via::Component(0), Via::Component(2));
        assert_eq!(via, [Via::Subject, a, a, Via::Nothing, c, Via::Nothing]);
        assert_eq!(of(None, &all, 0, edges.into_iter()), [Via::Nothing; 6]);
    }

    #[test]
    fn parts_of_the_subject_need_no_edge() {
        let all = components(&["wheel", "a"]);
        let edges = [("wheel", "a")];
        assert_eq!(of(None, &all, 1, edges.into_iter()), [Via::Subject, Via::Component(0)]);
    }

    #[test]
    fn a_way_of_many_steps_needs_no_stack() {
        let names: Vec<String> = (0..200_000).map(|it| it.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all = components(&names);
        let edges = names.windows(2).map(|it| (it[0], it[1]));
        let via = of(None, &all, 1, edges);
        assert_eq!(via.last(), Some(&Via::Component(199_998)));
    }
}
