"""What is true of a function: limits, ranges, poles, properties, relatives."""
