# IAmJonoBo/Hotpass, policy/sbom.rego at e6ca7b1ef84659ca004109e9f226cb90ed659e51; Apache-2.0.
package hotpass

default allow = false

allow {
  input.metadata.component.name == "hotpass"
  input.components[_]
}

violation[msg] {
  not allow
  msg := "SBOM missing Hotpass component entry"
}
