"""Networks from elsewhere: files of torch, safetensors and ONNX, read without running them."""
