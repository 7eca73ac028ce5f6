"""How the people of SynthPed look and move, and how they and their things are drawn."""
