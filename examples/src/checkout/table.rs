//! Tables for people.

/// Lays rows out in columns that are as wide as they need to be.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heads.map(|head| head.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = line(heads.iter().copied(), &widths);
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str), &widths));
    }
    text
}

fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let cells: Vec<_> = cells.zip(widths).map(|(cell, width)| format!("{:width$}", plain(cell))).collect();
    format!("{}\n", cells.join("  ").trim_end())
}

/// Whatever a directory or a person wrote must not steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_controls_are_shown() {
        let rows = [["ä".to_owned(), "\u{1b}[31mred".to_owned()], ["longer".to_owned(), String::new()]];
        assert_eq!(table(["A", "B"], &rows), "A       B\nä       ?[31mred\nlonger\n");
    }
}
