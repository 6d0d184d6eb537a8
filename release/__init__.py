"""What goes out with a release: whose licences, which packages with which hashes. No part of the program."""
