//! Rows: places to complete at, and what stood there. Those of the public sets are read here.
//!
//! In: `humaneval-infilling/` and `santacoder-fim/` as gzipped JSON lines. Out: [`Row`]s, evenly
//! spread over the set, the same each time. Refuses: a set that is not there, by saying so.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tandem::eval::row::{Row, SHORTEST, random, spread};

/// The first line of each hole of human-eval-infilling: `SingleLine` or `RandomSpan`.
///
/// # Errors
/// A sentence for a person.
pub fn humaneval(folder: &Path, set: &str, most: usize) -> Result<Vec<Row>, String> {
    let all = read(&folder.join(format!("humaneval-infilling/{set}.jsonl.gz")))?;
    let rows = all.iter().enumerate().filter_map(|(number, value)| {
        let hole = string(value, "canonical_solution");
        let row = Row {
            name: string(value, "task_id"),
            language: "python".into(),
            uri: format!("file:///tandem-quality/{set}/{number}.py"),
            before: string(value, "prompt"),
            after: string(value, "suffix"),
            ..Row::default()
        };
        first_of(&hole, row)
    });
    Ok(spread(rows.collect(), most))
}

/// The lines of `SingleLine` with the cursor at random inside each.
///
/// # Errors
/// A sentence for a person.
pub fn mid_line(folder: &Path, most: usize) -> Result<Vec<Row>, String> {
    let rows = humaneval(folder, "SingleLine", usize::MAX)?.into_iter().enumerate();
    let rows = rows.filter_map(|(number, row)| {
        let indent = row.hidden.len() - row.hidden.trim_start().len();
        let length = row.hidden.trim().len();
        let at = indent + 1 + random(number as u64, length.saturating_sub(1));
        let (begun, hidden) = row.hidden.split_at_checked(at).filter(|_| length >= SHORTEST)?;
        let (before, hidden) = (format!("{}{begun}", row.before), hidden.to_owned());
        Some(Row { before, hidden, ..row })
    });
    Ok(spread(rows.collect(), most))
}

/// The hidden lines of santacoder-fim-task, in three languages. Those that are only brackets are a
/// group of their own in each: they are easy for the model, and not worth showing.
///
/// # Errors
/// A sentence for a person.
pub fn santacoder(folder: &Path, most: usize) -> Result<Vec<Row>, String> {
    let all = read(&folder.join("santacoder-fim/santacoder_fim.jsonl.gz"))?;
    let rows = all.iter().enumerate().filter_map(|(number, value)| {
        let (language, end) = match value["language"].as_str()? {
            "py" => ("python", "py"),
            "java" => ("java", "java"),
            "js" => ("javascript", "js"),
            _ => return None,
        };
        let hidden = string(value, "canonical_solution");
        // The hidden line's own line breaks belong to neither part.
        let row = Row {
            name: string(value, "name"),
            group: match hidden.contains(char::is_alphanumeric) {
                true => language.into(),
                false => format!("{language}, no word"),
            },
            language: language.into(),
            uri: format!("file:///tandem-quality/santacoder/{number}.{end}"),
            before: format!("{}\n", string(value, "prompt")),
            after: format!("\n{}", string(value, "suffix")),
            trimmed: true,
            ..Row::default()
        };
        first_of(&hidden, row)
    });
    Ok(spread(rows.collect(), most))
}

/// The row whose hidden text is the first line of a hole, unless that is blank.
fn first_of(hole: &str, row: Row) -> Option<Row> {
    let line = hole.split('\n').next().unwrap_or_default();
    let after = format!("{}{}", &hole[line.len()..], row.after);
    (!line.trim().is_empty()).then(|| Row { hidden: line.to_owned(), after, ..row })
}

/// The values of gzipped JSON lines.
///
/// # Errors
/// A sentence for a person.
pub fn read(path: &PathBuf) -> Result<Vec<Value>, String> {
    let failed = |error: &dyn std::fmt::Display| {
        format!("{}: {error}; CONTRIBUTING.md says where the data comes from", path.display())
    };
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).map_err(|error| failed(&error))?;
    let values = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>();
    values.map_err(|error| failed(&error))
}

pub fn string(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
