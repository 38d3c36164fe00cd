"""What is signed, and what every rule gets: the unit, its body, the genesis it is of."""
