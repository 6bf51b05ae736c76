"""Data frames drawn as Plotly figures; no Streamlit and no SQL here."""
