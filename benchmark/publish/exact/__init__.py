"""Table and figures of the samplers beside exact posteriors."""
