-- What a signer signed, when its key or identity is compromised.

CREATE INDEX bundle_by_signer ON bundle (signer, correlation, producer);
