"""The thin shell: carries out what `judgement` decided, and writes down what was seen."""
