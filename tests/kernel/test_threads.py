"""One thread inside the block, and what there was before after it."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sem_loyalty.kernel.threads import one_thread


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@one_thread()
def failing():
    with one_thread():
        assert set(threads()) == {1}
    assert set(threads()) == {1}
    raise RuntimeError("inside")


def test_threads_are_limited_inside_and_restored_after_an_error():
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        assert set(before) == {2}
        with pytest.raises(RuntimeError, match="inside"):
            failing()
        assert threads() == before
