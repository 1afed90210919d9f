"""The kernel passes Jupyter's own suite for kernels, with samples in this language."""

import jupyter_kernel_test


class TestMicroPython(jupyter_kernel_test.KernelTests):
    kernel_name = "micropython"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "%%host\nimport sys\nprint('careful', file=sys.stderr)"
    code_generate_error = "raise ValueError('too hot')"
    code_execute_result = [{"code": "1+2+3", "result": "6"}, {"code": "'a' + 'b'", "result": "'ab'"},
                           {"code": "%%host\n6 * 7", "result": "42"}]
    code_display_data = [{"code": "%%host\nfrom IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))",
                          "mime": "text/html"},
                         {"code": "%mem", "mime": "text/html"},
                         {"code": "%plot\nfor i in range(5):\n    print(i)", "mime": "image/png"}]
    code_page_something = "print?"
    code_clear_output = "%%host\nfrom IPython.display import clear_output\nclear_output()"
    completion_samples = [{"text": "isins", "matches": {"isinstance"}}, {"text": "%conn", "matches": {"%connect", "%connect_info"}},
                          {"text": "x = board_led.tog", "matches": {"toggle"}}, {"text": "board_pins['le", "matches": {"led"}},
                          {"text": "%%host\nisins", "matches": {"isinstance"}}]
    complete_code_samples = ["x = 1", "print('hello')", "def f(x):\n    return x\n\n"]
    incomplete_code_samples = ["print(", "def f(x):", "for i in range(3):\n"]
    invalid_code_samples = ["x = = 1", "import"]
    code_inspect_sample = "board_led"
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "search")
    code_history_sample = ["print('x')"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Connecting says which board it is; the suite expects a cell's own output only.
        cls.kc.execute_interactive("import machine\nboard_led = machine.Pin(2)\nboard_pins = {'led': 2}", timeout=60)

    def test_input(self):
        """What the suite has no test for: a cell that asks, through the stdin channel."""
        asked, shown = [], []

        def answer(message):
            asked.append(message["content"]["prompt"])
            self.kc.input("Ada")

        def output(message):
            if message["msg_type"] == "stream":
                shown.append(message["content"]["text"])

        reply = self.kc.execute_interactive("print('Hello', input('Name? '))", allow_stdin=True, stdin_hook=answer,
                                            output_hook=output, timeout=30)
        self.assertEqual(reply["content"]["status"], "ok")
        self.assertEqual((asked, "".join(shown)), (["Name? "], "Hello Ada\n"))

    def test_inspect_tells_about_the_board(self):
        self.flush_channels()
        self.kc.inspect("board_pins")
        reply = self.get_non_kernel_info_reply(timeout=30)
        self.assertIn("'led': 2", reply["content"]["data"]["text/plain"])


class TestWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "micropython"
    support_iopub_welcome = True
