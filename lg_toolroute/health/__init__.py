"""The health of models: in this process (`memory`), or shared by many workers through a LangGraph store (`store`)."""
