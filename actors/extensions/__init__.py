"""The extension host: one supervised actor and one worker process an extension."""
