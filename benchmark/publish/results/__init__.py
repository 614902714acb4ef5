"""What the tables and figures show: values by case, their means, differences, fronts and knees."""
