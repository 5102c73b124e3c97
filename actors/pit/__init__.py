"""The Pit's actors: a mailbox and a store round each rule machine in `symphony.domain.pit`."""
