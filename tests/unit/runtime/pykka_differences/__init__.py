"""What a program written for Pykka finds different: one test a row of the table in `actors.runtime`, each shown on both."""
