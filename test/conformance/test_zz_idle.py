"""The last file: what was begun when the run began has had its time by now."""


def test_a_connection_that_sends_nothing_is_closed_between_10_and_20_seconds(idle_connection):
    idle_connection.join(25)
    assert idle_connection.failure is None
    assert idle_connection.closed is not None
    assert 9.9 <= idle_connection.closed - idle_connection.opened <= 21.0
