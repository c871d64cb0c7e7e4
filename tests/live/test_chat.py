"""Two people chat with clients that are not ours: what a newcomer would see on the first evening."""

from collections.abc import Callable

from .profanity import Profanity
from .sendxmpp import SendXmpp
from .servers import HOST

ROMEO, JULIET = f"romeo@{HOST}", f"juliet@{HOST}"


def test_two_people_meet_and_chat(profanity: Callable[[str], Profanity]) -> None:
    """They log in over a certificate they come to trust, subscribe, see each other, chat, and see each other leave."""
    romeo, juliet = profanity(ROMEO), profanity(JULIET)

    romeo.asks_to_see(juliet)
    romeo.sees(JULIET, "online")
    juliet.asks_to_see(romeo)
    juliet.sees(ROMEO, "online")

    romeo.writes(JULIET, "She speaks: O, speak again, bright angel!")
    juliet.reads(ROMEO, "She speaks: O, speak again, bright angel!")
    juliet.writes(ROMEO, "What man art thou? <&> ünïcödé \N{SMILING FACE WITH OPEN MOUTH}")
    romeo.reads(JULIET, "What man art thou? <&> ünïcödé \N{SMILING FACE WITH OPEN MOUTH}")

    juliet.is_away("asleep")
    romeo.sees(JULIET, "away")
    juliet.leaves()
    romeo.sees(JULIET, "offline")


def test_shell_and_terminal_chat(profanity: Callable[[str], Profanity], sendxmpp: Callable[[str], SendXmpp]) -> None:
    """One writes from the shell, the other from a terminal; a message to each arrives."""
    romeo, juliet = profanity(ROMEO), profanity(JULIET)
    romeo.asks_to_see(juliet)
    juliet.leaves()
    romeo.sees(JULIET, "offline")
    shell = sendxmpp(JULIET)

    with shell.listens() as listener:
        romeo.sees(JULIET, "online")
        romeo.writes(JULIET, "Wilt thou leave me so unsatisfied?")
        listener.says(rf"{ROMEO}: Wilt thou leave me so unsatisfied\?$")
    shell.writes(ROMEO, "What satisfaction canst thou have tonight?")
    romeo.reads(JULIET, "What satisfaction canst thou have tonight?")
