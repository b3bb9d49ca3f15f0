import torch

from divekit.data.draws import draw_generator


def test_a_draw_repeats_and_draws_differ():
    first, again, other = (torch.rand(9, generator=draw_generator(draw)) for draw in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_draw_is_not_the_stream_of_the_seed_of_the_same_number():
    for draw in range(50):
        torch.manual_seed(draw)
        assert not torch.equal(torch.randn(20), torch.randn(20, generator=draw_generator(draw)))
        torch.manual_seed(draw)
        initial = torch.randn(200)
        correlation = torch.corrcoef(
            torch.stack([initial, torch.randn(200, generator=draw_generator(draw))])
        )[0, 1]
        assert abs(correlation) < 0.35  # five standard errors
