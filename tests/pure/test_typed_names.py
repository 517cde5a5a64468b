"""What people type names no person; ordinary sentences of the police are let pass."""

import pytest

from geo.io.typed_names import names_a_typed_person

OF_PERSONS = """\
姓名：赵六
抓获张三
嫌疑人 李强
受害人李四
报案人 王五 称
驾驶员赵六
民警王建国带队
线人小王
身份证410102198001011234
身份证号410102198001011234
4101021980 0101 1234
微信号zhang_san
抓捕张三行动
嫌疑人王建国住处
守王建国家门口
睢县公安局王建国大队
民警李强带队
嫌疑人欧阳修
抓获嫌疑人2名：张三、李四
抓获犯罪嫌疑人李某某
嫌疑人李强在村口被抓
民警高建国到达
联系人：任强
姓名 于洪波
抓获曾强，
QQ号：123456789
手机号138****5678
证件号 410102800101123
身份证 4101-0219-8001-0112-34
嫌疑人叫陈小明
王建国家
民警小李在路口
线人老马
嫌疑人小陈逃跑
姓名王建国的会战
"""
OF_THINGS = """\
民警在柘城县李楼村设伏
报案人称夜间听到锯声
嫌疑人逃跑
抓获嫌疑人2名
驾驶员未停车
民警于23时到达设伏点
民警于当晚到达
民警王庄设伏
抓捕方案已报
抓捕任务完成，抓捕成功
抓获金属收购人员3名
抓获安徽籍盗窃团伙
抓获周口籍嫌疑人
抓获郑州籍人员
嫌疑人何时进入现场不明
嫌疑人曾多次盗窃电缆
嫌疑人向东逃跑，
嫌疑人戴口罩、驾驶白色面包车
嫌疑人马上弃车逃跑
民警高度警惕
民警及时赶到现场
受害人是电信公司
受害人为周口电信分公司
报案人：商丘联通
联系人：指挥中心
驾驶员和两名同伙
民警和辅警共6人
民警向群众了解情况
民警周边走访
失主申请发还
线人反映有人收购铜线
抓获盗割电缆人员，缴获铜线200公斤
抓捕时机未到，继续设伏
身份证已登记
当事人许可后查看
民警车辆停在路边
微信群通知
微信发来照片
手机号码已移交
案件编号410323200803100001
2008-03-10 2008-03-12 巡查
113.62536813800138
值班电话0370-8181818
嫌疑人约3人，在省道旁
嫌疑人高速路口驶离
民警成功拦截
民警常年巡线
抓获收赃人员，金额2万元
守国家电网变电站门口
在村民家门口设伏
李庄村民家中
睢县公安局刑侦大队
柘城县公安局张桥派出所
商丘市公安局高新区分局
太康县公安局马头中队
沈丘县公安局石槽中队
周口市公安局黄河路大队
商丘市公安局梁园分局马牧集中队
许昌市公安局 长葛分局
商丘供电公司李口供电所
柘城太康会战
商丘市、周口市区域会战：柘城县—太康县段
民警安排蹲守
民警张贴通告
辅警巡逻至石桥
民警先后到王店、张集
民警赴张弓镇蹲守
民警带队巡逻
民警李楼村设伏
嫌疑人驾车往张桥方向逃跑
抓获马店籍2人
路口
抓获小包工头
民警小组巡逻
民警老城区巡逻
抓获小型货车一辆
桥头
设伏点发现剪断的电缆30米
"""


@pytest.mark.parametrize("text", OF_PERSONS.splitlines())
def test_persons_behind_a_role_their_numbers_and_their_accounts_are_seen(text):
    assert names_a_typed_person(text)


@pytest.mark.parametrize("text", OF_THINGS.splitlines())
def test_ordinary_sentences_of_the_police_name_nobody(text):
    assert not names_a_typed_person(text)


@pytest.mark.parametrize("text", ["张伟于23时到达", "欧阳修报告", "一三八一二三四五六七八"])
def test_bare_names_and_numbers_in_words_are_not_seen_as_the_reference_says(text):
    assert not names_a_typed_person(text)


def test_full_width_digits_and_any_signs_between_them_hide_nothing():
    for number in ("４１０１０２１９８００１０１１２３４", "410102-19800101-1234", "410102 1980 0101 123X"):
        assert names_a_typed_person(number)
    assert not names_a_typed_person("410102198013011234")
