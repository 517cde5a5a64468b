from tests.browser.test_duplicates_page import *  # noqa
from tests.browser.test_duplicates_page import opened, click
def test_shot(address, page_watch):
    page = opened(page_watch, address); page.wait_for_timeout(800); page.screenshot(path='/work/scratch/shots/dup-zh.png')
    page.fill('#office', OFFICE); click(page,'合并，保留左边'); page.wait_for_timeout(500); page.screenshot(path='/work/scratch/shots/dup-told.png')
    page.locator('.duplicates-history').scroll_into_view_if_needed(); page.wait_for_timeout(500); page.screenshot(path='/work/scratch/shots/dup-hist.png')
    page.get_by_role('button', name='撤回').click(); page.wait_for_timeout(1500)
    page = opened(page_watch, address,'?lang=en'); page.wait_for_timeout(800); page.screenshot(path='/work/scratch/shots/dup-en.png')
    page = opened(page_watch, address, width=390,height=844); page.wait_for_timeout(300); page.mouse.wheel(0,250); page.wait_for_timeout(900); page.screenshot(path='/work/scratch/shots/dup-phone.png')
    page.mouse.wheel(0,760); page.wait_for_timeout(900); page.screenshot(path='/work/scratch/shots/dup-phone2.png')
    page = opened(page_watch, address,'?state=merged'); page.screenshot(path='/work/scratch/shots/dup-empty.png')
