"""How long the pages take to build, and how soon a phone can use them."""
