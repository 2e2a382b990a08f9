"""Reports as Markdown and as HTML: what names and options hold stays text."""

from loihi_gym.comparison.document import Document, table


def test_what_names_hold_is_neither_markup_nor_a_way_out_of_the_page(tmp_path):
    document = Document("T <b>")
    document.add("<script>x</script> [a](http://b) *c* `d`")
    document.add(table(["solver", "n"], [["x:a_b_=c|d*e*", "1"]]))
    document.add_picture("my net", b"PNG", 'caption "q" <i>')
    document.write(tmp_path, "report")
    page = (tmp_path / "report.html").read_text()
    assert "<title>T &lt;b&gt;</title>" in page
    assert "<p>&lt;script&gt;x&lt;/script&gt; [a](http://b) *c* <code>d</code></p>" in page
    assert "<td>x:a_b_=c|d*e*</td>" in page
    assert '<figure><img src="data:image/png;base64,UE5H" alt="caption &quot;q&quot;' in page
    assert "| x:a_b_=c\\|d*e* | 1 |" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "my net.png").read_bytes() == b"PNG"


def test_the_page_fits_a_phone_and_the_dark_and_asks_for_nothing(tmp_path):
    document = Document("T")
    document.add_picture("plot", b"PNG", "caption")
    document.write(tmp_path, "report")
    page = (tmp_path / "report.html").read_text()
    assert '<meta name="viewport" content="width=device-width' in page
    assert "@media (prefers-color-scheme: dark)" in page
    assert "http" not in page
