"""The layers of evidence: the same questions asked of exact instances, of float64 instances, and of minima found by descent."""
