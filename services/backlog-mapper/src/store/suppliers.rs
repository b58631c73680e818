//! What is open against suppliers' products.

use std::collections::BTreeMap;

use events::{Digest, SupplierId};
use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{
    Reader, StoreError,
    columns::{Hash, Number},
};

/// How a supplier's product stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductFindings {
    /// The supplier.
    pub supplier: String,
    /// The product.
    pub product: String,
    /// Its current document.
    pub document: Option<Digest>,
    /// Findings that count, by severity.
    pub open: BTreeMap<String, u64>,
    /// Findings that a VEX statement suppresses.
    pub suppressed: u64,
}

impl Reader {
    /// How each product of suppliers stands, or of one: those without findings too, in order.
    pub fn supplier_findings(
        &self,
        of: Option<&SupplierId>,
    ) -> Result<Vec<ProductFindings>, StoreError> {
        let sql = "SELECT s.scope, s.product, s.current, f.severity, f.state, COUNT(f.slot) FROM slot s LEFT JOIN finding f ON f.slot = s.id WHERE s.kind = 'supplier' AND ($1 IS NULL OR s.scope = $1) GROUP BY s.scope, s.product, s.current, f.severity, f.state ORDER BY s.scope, s.product";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![of.map(SupplierId::as_str)])?;
        let mut products: Vec<ProductFindings> = Vec::new();
        while let Some(row) = rows.next()? {
            let (supplier, product): (String, String) = (row.get(0)?, row.get(1)?);
            let document = row.get::<_, Option<Hash>>(2)?.map(|it| it.0);
            let is_another = products
                .last()
                .is_none_or(|it| (&it.supplier, &it.product) != (&supplier, &product));
            if is_another {
                let (open, suppressed) = (BTreeMap::new(), 0);
                products.push(ProductFindings { supplier, product, document, open, suppressed });
            }
            let (severity, state): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
            let count = row.get::<_, Number>(5)?.0;
            let (Some(severity), Some(at)) = (severity, products.last_mut()) else { continue };
            match state.as_deref() {
                Some("open") => *at.open.entry(severity).or_default() += count,
                _ => at.suppressed += count,
            }
        }
        Ok(products)
    }
}
