"""The last file: what was begun when the run began has had its time by now."""


def test_a_connection_that_sends_nothing_is_closed_between_10_and_20_seconds(idle_connection):
    idle_connection.join(120)
    assert idle_connection.failure is None
    assert not idle_connection.is_alive()
    assert 9.9 <= idle_connection.seconds <= idle_connection.SECONDS_MAX
