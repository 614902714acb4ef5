"""The families of metrics: a file here is one, with what it declares and how it is measured."""
