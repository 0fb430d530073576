"""The AI Morning Post: composes a daily edition and delivers it to every confirmed reader."""
