"""What families of metrics compute with: pairwise LPIPS, NIQE, exact sets of attributes, readings by rendering."""
