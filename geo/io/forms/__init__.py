"""Read files of every form as tables of text, in bounded memory."""
