"""The worked example of a detector, shown in docs/video.md: what moves before a still camera.

A detector is a function ``frame -> boxes``, or a class of such objects where something must be remembered from frame
to frame. It is given as ``moving_people:MovingPeople`` when this file lies in the current folder.
"""

import cv2
import numpy as np


class MovingPeople:
    """Boxes around blobs that differ from the background, which is learnt as the video goes (MOG2)."""

    def __init__(self, least_area: int = 300) -> None:
        self.background = cv2.createBackgroundSubtractorMOG2(history=200, detectShadows=True)
        self.least_area = least_area

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """RGB uint8 (H, W, 3) -> (n, 5): left, top, width, height, score."""
        moving = (self.background.apply(frame) == 255).astype(np.uint8)  # shadows are 127
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, np.ones((9, 3), np.uint8))
        _, _, blobs, _ = cv2.connectedComponentsWithStats(moving)
        boxes = [
            (*blob[:4], 1.0) for blob in blobs[1:] if blob[4] >= self.least_area
        ]  # the first is the background
        return np.array(boxes).reshape(-1, 5)
