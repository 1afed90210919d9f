"""edgekit: from a sensor's first sample to a prediction that switches a pin."""
