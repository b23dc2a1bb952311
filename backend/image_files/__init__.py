"""Image files: finding the page, decoding, colour and grey scaling, preprocessing."""
