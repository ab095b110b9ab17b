//! Column: which cells of a table change what.

use farhold_bundle::payload::License;
use farhold_contract::id::LicenseId;

use super::{
    mistake::RowMistake,
    table::Row,
    target::{Target, plain},
};

/// The columns of a table, in its order.
#[derive(Debug)]
pub struct Columns(Vec<Column>);

#[derive(Debug)]
struct Column {
    name: String,
    target: Target,
    /// Whether the template lacks what the column gives, so that no cell may be empty.
    needed: bool,
}

/// What a cell says to take a member of the template away.
const NONE: &str = "-";

impl Columns {
    /// Whether a column's name gives what a template must have, and under which name it has it.
    pub fn given(headings: &[String]) -> Vec<&'static str> {
        let of = |heading: &String| match heading.as_str() {
            "product" => Some("product"),
            "issued_to" => Some("issued_to"),
            "tenant_id" => Some("tenant.tenant_id"),
            "tenant.type" => Some("tenant.type"),
            _ => None,
        };
        headings.iter().filter_map(of).collect()
    }

    /// Reads the headings; `lacks` says whether the template lacks a member that it must have.
    ///
    /// # Errors
    /// A heading that names nothing, or one twice; in line 1.
    pub fn read(
        headings: &[String],
        license: &License,
        lacks: impl Fn(&str) -> bool,
    ) -> Result<Self, RowMistake> {
        let mut columns: Vec<Column> = Vec::with_capacity(headings.len());
        for name in headings {
            let target =
                Target::named(name, license).map_err(|why| RowMistake::of_cell(1, name, why))?;
            if !name.starts_with('#') && columns.iter().any(|column| column.name == *name) {
                return Err(RowMistake::of_cell(1, name, "is there twice"));
            }
            let needed = Self::given(std::slice::from_ref(name)).iter().any(|member| lacks(member));
            columns.push(Column { name: name.clone(), target, needed });
        }
        Ok(Self(columns))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Which contract a row names, if it names one.
    ///
    /// # Errors
    /// A cell that is no identifier.
    pub(super) fn license_id(&self, row: &Row) -> Result<Option<LicenseId>, RowMistake> {
        for (column, cell) in self.0.iter().zip(row.cells()) {
            if matches!(column.target, Target::LicenseId) && !cell.is_empty() {
                return plain(cell)
                    .map(Some)
                    .map_err(|why| RowMistake::of_cell(row.line, &column.name, why));
            }
        }
        Ok(None)
    }

    /// Changes a license as a row says.
    ///
    /// # Errors
    /// A cell that can't be read, or is empty where the template has nothing.
    pub(super) fn apply(&self, row: &Row, license: &mut License) -> Result<(), RowMistake> {
        for (column, cell) in self.0.iter().zip(row.cells()) {
            let applied = match cell {
                "" if column.needed => Err("is empty, and the template has none".to_owned()),
                "" => Ok(()),
                NONE => column.target.clear(license),
                text => column.target.set(license, text),
            };
            applied.map_err(|why| RowMistake::of_cell(row.line, &column.name, why))?;
        }
        Ok(())
    }

    /// The longest cell of a row that its license carries, by its column, and its bytes.
    pub(super) fn longest(&self, row: &Row) -> Option<(&str, usize)> {
        let carried = self.0.iter().zip(row.cells()).filter(|(column, _)| column.changes());
        carried.map(|(column, cell)| (column.name.as_str(), cell.len())).max_by_key(|(_, len)| *len)
    }

    /// Whether a row leaves nothing of a license to the template, of what a column may change.
    pub(super) fn overwrite_all(&self, row: &Row) -> bool {
        self.0.iter().zip(row.cells()).all(|(column, cell)| !cell.is_empty() || !column.changes())
    }

    /// The column that gives a member of the license, as a rule of licenses names it.
    pub fn of_member(&self, member: &str) -> Option<&str> {
        let is = |column: &&Column| match &column.target {
            Target::LicenseId => member == "license_id",
            Target::Member(own) => own.name == member,
            Target::Limit(..) => member == "entitlements.limits",
            Target::ValidUntil(_) => member == "entitlements.valid_until",
            _ => false,
        };
        self.0.iter().find(is).map(|column| column.name.as_str())
    }

    /// Whether a row may put anything but plain members into a license: notes, or flags.
    pub fn reach_values(&self) -> bool {
        self.0.iter().any(|column| matches!(column.target, Target::Flag(_) | Target::Metadata(_)))
    }
}

impl Column {
    /// Whether its cells say anything of what the license is.
    const fn changes(&self) -> bool {
        !matches!(self.target, Target::Note | Target::LicenseId)
    }
}
