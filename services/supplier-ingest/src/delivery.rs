//! Signed receipts for suppliers: `evidence.signed` of our own → `receipts.<supplier>.<submission>`.

use archive::Archive;
use attestation::verify::MAX_BUNDLE_BYTES;
use events::{Envelope, EvidenceReady, EvidenceSigned, Producer, Sender};
use worker::{Context, HandleError, Handler};

/// Lays every signed receipt out where its supplier, who cannot see anything else, finds it.
pub struct ReceiptDelivery {
    archive: Archive,
}

impl ReceiptDelivery {
    /// A delivery of receipts whose bundles lie in `archive`.
    pub fn new(archive: Archive) -> Self {
        Self { archive }
    }
}

impl Handler for ReceiptDelivery {
    const NAME: &'static str = "receipt-delivery";
    const INPUT_FROM: &'static [Producer] = &[Producer::SupplierIngest];
    type Input = EvidenceSigned;
    type Output = EvidenceReady;

    async fn handle(
        &self,
        event: &Envelope<EvidenceSigned>,
        context: &Context,
    ) -> Result<Vec<EvidenceReady>, HandleError> {
        let missing = |what| HandleError::permanent("receipt-missing", format!("no {what} in it"));
        let decision = event.data.decision.as_ref().ok_or_else(|| missing("decision"))?;
        let bundle = event.data.bundles.first().ok_or_else(|| missing("bundle"))?;
        if let Sender::Supplier(supplier) = &decision.from {
            let receipt = self.archive.get(bundle.bundle, MAX_BUNDLE_BYTES as u64).await?;
            context.deliver_receipt(supplier, &decision.submission, receipt).await?;
        }
        Ok(vec![])
    }
}
