"""Think-at-Hard training: data, tokenizer, backbone, both stages, export."""
