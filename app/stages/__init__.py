"""The path of the data, one room a stage; stages are strangers that hand over rows."""
