"""What crosses the wire: values in, values out."""
