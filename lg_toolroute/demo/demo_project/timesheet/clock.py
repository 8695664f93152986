"""Times of day, and the minutes between them."""

MINUTES_PER_DAY = 24 * 60


def minutes(text: str) -> int:
    """Minutes since midnight of a time such as '07:45'."""
    hours, colon, rest = text.strip().partition(':')
    if not (colon and hours.isdigit() and rest.isdigit() and int(hours) < 24 and int(rest) < 60):
        raise ValueError(f'{text!r} is not a time of day; write it as 07:45')
    return 60 * int(hours) + int(rest)


def worked(start: str, end: str, pause: int = 0) -> int:
    """Minutes worked between two times of day, without the pause.

    A shift that ends earlier in the day than it began ends on the next day.
    """
    begin   = minutes(start)
    finish  = minutes(end)
    total   = finish - begin                # '22:00' to '06:00' is eight hours
    if not 0 <= pause <= total:
        raise ValueError(f'a pause of {pause} min does not fit into {start}-{end}')
    return total - pause


def spoken(total: int) -> str:
    """Minutes for people: '7:30 h'."""
    return f'{total // 60}:{total % 60:02} h'
