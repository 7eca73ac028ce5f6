"""What tests may not do."""

import os
import socket
from pathlib import Path

import pytest

from tests.elsewhere import ElsewhereError

HERE = Path(__file__).parent


def test_a_file_of_somebody_else_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("taken")
    for act in (
        lambda: (HERE / "new").write_text(""),
        lambda: (HERE / "new").touch(),
        lambda: (HERE / "new").mkdir(),
        lambda: Path(__file__).unlink(),
        lambda: (tmp_path / "own").rename(HERE / "own"),
        lambda: os.open("new", os.O_WRONLY | os.O_CREAT),  # in the folder where one is
        lambda: (HERE / "new").symlink_to(tmp_path),
    ):
        with pytest.raises(ElsewhereError, match="of its own alone"):
            act()
    assert not (HERE / "new").exists()
    assert Path(__file__).read_text().startswith('"""What')


def test_no_other_machine_is_reached() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:  # nothing is sent, were it let through
        for act in (
            lambda: link.connect(("192.0.2.1", 9)),
            lambda: link.sendto(b"", ("192.0.2.1", 9)),
            lambda: socket.create_connection(("example.invalid", 9)),
        ):
            with pytest.raises(ElsewhereError, match="no other machine"):
                act()
        link.connect(("127.0.0.1", 9))
