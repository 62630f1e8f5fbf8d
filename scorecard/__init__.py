"""What SQL cannot say: forecasts (chance) and the ledger (proof)."""
