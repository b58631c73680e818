//! The registers as files, for people and repositories.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use crate::{
    export::{Form, Table, render},
    register::Register,
};

/// Writes every register in every form to `directory`, each file at once or not at all. A file that
/// would stay as it is is not touched.
pub(crate) fn write(directory: &Path, register: &Register) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for table in Table::ALL {
        for form in Form::ALL {
            replace(directory, &table.file_name(form), &render(register, table, form))?;
        }
    }
    File::open(directory)?.sync_all()
}

fn replace(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let path = directory.join(name);
    if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let temporary = directory.join(format!(".{name}.new"));
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_register_leaves_its_files_untouched() {
        let directory = tempfile::tempdir().expect("temporary");
        let of = |name: &str| directory.path().join(name);
        write(directory.path(), &Register::default()).expect("writes");
        let names = ["remediation-backlog.md", "risk-register.csv", "risk-register.json"];
        let before: Vec<_> = names.iter().map(|it| fs::metadata(of(it)).expect("there")).collect();
        write(directory.path(), &Register::default()).expect("writes");
        for (name, before) in names.iter().zip(before) {
            let after = fs::metadata(of(name)).expect("there");
            assert_eq!(after.modified().ok(), before.modified().ok(), "{name}");
        }
        assert_eq!(fs::read_dir(directory.path()).expect("readable").count(), 6);
    }
}
