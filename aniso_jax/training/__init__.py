"""Floor 6: networks trained under the noise that will certify them."""
