"""Name the sentences that the scripts of the pages of joint operations show."""

from __future__ import annotations

from layers.texts import mark

_BOTH = (
    mark("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页"),
    mark("放大"),
    mark("缩小"),
    mark("关闭"),
    mark("回到全图"),
    mark("伏{number}"),
    mark("注{number}"),
    mark("设伏点"),
    mark("注记"),
    mark("新"),
    mark("没有连上服务器，请稍后再试"),
    mark("刚被别人改过，请看最新的再定"),
    mark("现在的状态不允许这样做"),
    mark("没有找到，可能已被去掉"),
    mark("没有记下，服务器没有说明原因"),
    mark("正在记下…"),
)
"""Of map and server, on the form and on the page."""
FORM_TEXTS = (
    *_BOTH,
    mark("已放{count}个角"),
    mark("还没有放角"),
    mark("点一下区域的角；或移动地图让十字对准，再按“放在这里”（键盘按回车）。至少三个角。"),
    mark("选两个或三个市"),
    mark("区域至少要三个角"),
)
"""Sentences that `static/operation_new.js` and what it imports show."""
CLIENT_TEXTS = (
    *_BOTH,
    mark("还没有送到服务器"),
    mark("去掉"),
    mark("点一下设伏点的位置；或移动地图让十字对准，再按“放在这里”（键盘按回车）。"),
    mark("点一下注记的位置；或移动地图让十字对准，再按“放在这里”（键盘按回车）。"),
    mark("注记要写字"),
    mark("先把这一处存下，或者关掉"),
    mark("点一下新的位置；或移动地图让十字对准，再按“放在这里”。"),
    mark("再按一次就去掉"),
    mark("照我的重新标上"),
    mark("用我的"),
    mark("用对方的"),
    mark("丢掉"),
    mark("日志："),
    mark("另有{count}条没有被接受，写完这条就放回来改"),
    mark("设伏点："),
    mark("注记："),
    mark("等连上后发送"),
    mark("没有存上：这一处已被{who}去掉"),
    mark("没有存上：{who}已经改成“{text}”"),
    mark("这一步不由这个市来做"),
    mark("再按一次：{act}"),
    mark("已连接，别人的改动随时显示"),
    mark("连接中断，正在重试；现在画的、写的先存在本机"),
)
"""Sentences that `static/operation.js` and what it imports show."""
