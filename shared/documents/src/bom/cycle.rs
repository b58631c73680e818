//! Finding a cycle in a directed graph.

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Never,
    /// On the path from where the search began.
    OnPath,
    /// Nothing that can be reached from here is on a cycle.
    Done,
}

/// The nodes of one cycle in order, if there is any. A depth-first search: linear in nodes and
/// edges, with its path on the heap.
pub(super) fn find(successors: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut visits = vec![Visit::Never; successors.len()];
    // Each node with the number of its next edge.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..successors.len() {
        if visits[root] != Visit::Never {
            continue;
        }
        visits[root] = Visit::OnPath;
        path.push((root, 0));
        while let Some((node, edge)) = path.last_mut() {
            let Some(&next) = successors[*node].get(*edge) else {
                visits[*node] = Visit::Done;
                path.pop();
                continue;
            };
            *edge += 1;
            match visits[next] {
                Visit::Never => {
                    visits[next] = Visit::OnPath;
                    path.push((next, 0));
                }
                Visit::OnPath => {
                    let nodes = path.iter().map(|&(node, _)| node);
                    return Some(nodes.skip_while(|&node| node != next).collect());
                }
                Visit::Done => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_cycle_is_found_wherever_it_lies_and_only_its_members_are_told() {
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[vec![1, 2], vec![3], vec![3], vec![]]), None);
        assert_eq!(find(&[vec![1], vec![2], vec![1]]), Some(vec![1, 2]));
        assert_eq!(find(&[vec![], vec![2], vec![3], vec![1, 0]]), Some(vec![1, 2, 3]));
        assert_eq!(find(&[vec![0]]), Some(vec![0]));
    }

    #[test]
    fn a_path_of_a_million_nodes_needs_no_stack() {
        let mut successors: Vec<_> = (1..=1_000_000).map(|next| vec![next]).collect();
        successors.push(vec![]);
        assert_eq!(find(&successors), None);
        successors[1_000_000].push(0);
        assert_eq!(find(&successors).map(|cycle| cycle.len()), Some(1_000_001));
    }
}
