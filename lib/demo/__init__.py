"""What only a demonstration needs: sample data, the theatre. Never used against Checkout.com."""
