use regorus::*;
fn main() {
    for (name, text) in [
        ("complete", "found := c.x if some c in input.list"),
        ("completecall", "found := upper(c.x) if some c in input.list"),
        ("completevia", "found := y if { some c in input.list\n y := c.x }"),
        ("fn", "f(l) := c.x if some c in l\nfound := f(input.list)"),
        ("fnvia", "f(l) := y if { some c in l\n y := c.x }\nfound := f(input.list)"),
        ("bool", "f(l) if { some c in l\n c.x == \"b\" }\nfound := f(input.list)"),
        ("booltrue", "found := true if { some c in input.list\n c.x == \"b\" }"),
        ("else", "found := c.x if { some c in input.list } else := 5"),
        ("partialobjvia", "found[k] := x if { some c in input.list\n k := c.k\n x := c.x }"),
        ("objkey", "found.a[k] := x if { some c in input.list\n k := c.k\n x := c.x }"),
        ("varrule", "r := input.none\nfound contains r if some c in input.list\nfound contains \"z\""),
        ("varrule2", "r := input.none\nfound contains [r, c] if some c in input.list"),
        ("local", "found contains [k, c.x] if some k, c in input.list"),
        ("with", "r := input.v\nfound contains y if { some c in input.list\n y := r with input.v as c.x }"),
    ] {
        for list in [r#"[{"x":"a","k":"1"},{"k":"2"},{"x":"b","k":"3"}]"#, r#"[{"k":"2"},{"x":"b","k":"3"}]"#, r#"[{"x":"b","k":"3"},{"k":"2"}]"#] {
            let mut e = Engine::new();
            e.set_strict_builtin_errors(true);
            e.add_policy("p".into(), format!("package p\n{text}\n")).unwrap();
            e.set_input_json(&format!("{{\"list\":{list}}}")).unwrap();
            match e.eval_rule("data.p.found".into()) {
                Ok(v) => println!("{name}: {}", serde_json::to_string(&v).unwrap_or_default()),
                Err(x) => println!("{name}: ERR {}", x.to_string().replace('\n', " ")),
            }
        }
    }
}
