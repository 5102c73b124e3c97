"""The xi proxy: the actor that stands for the XI-editor process, and the journals by which its buffers outlive that process."""
