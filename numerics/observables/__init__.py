"""What a statement predicts, and how it is compared with what a layer finds: one checker for each observable of the ledger."""
